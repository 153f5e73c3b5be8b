"""The program's mark: a cervix in a ring, as SVG, for the sign-in form and the screens."""

MARK_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" aria-hidden="true">'
    '<circle cx="24" cy="24" r="22" fill="#0f6b74"/>'
    '<circle cx="24" cy="24" r="13.5" fill="none" stroke="#fff" stroke-width="2.4" opacity=".9"/>'
    '<ellipse cx="24" cy="24" rx="4.6" ry="2.3" fill="#fff"/>'
    '<path d="M24 10.5a13.5 13.5 0 0 1 12.6 8.6" fill="none" stroke="#8fe0d2" stroke-width="4.4" '
    'stroke-linecap="round"/></svg>'
)
