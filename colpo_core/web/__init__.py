"""HTTP beside the screens: sign-in gate, images, mask saves, health."""
