"""Agreement of two masks beyond what chance alone would bring."""


def pixel_kappa(*, n_both: int, n_first: int, n_second: int, n_pixels: int) -> float | None:
    """Cohen's kappa of two masks of one image, over its pixels.

    Neighbouring pixels are no independent trials, so no interval can be had from one image: average over images and
    take the interval by patients. As for Dice, the larger the empty rest of the image, the less it matters.

    Args:
        n_both: Pixels that both mark.
        n_first: Pixels that the first marks.
        n_second: Pixels that the second marks.
        n_pixels: All pixels of the image.

    Returns:
        -1 to 1; 0 where one mask says the same of every pixel and the other does not; None where both say the same of
        every pixel, because chance would then agree in all.

    Source: Cohen 1960, "A coefficient of agreement for nominal scales".
    """
    agreeing = n_pixels - n_first - n_second + 2 * n_both
    # In whole numbers: what chance agrees in, times the number of pixels.
    by_chance = n_first * n_second + (n_pixels - n_first) * (n_pixels - n_second)
    possible = n_pixels * n_pixels - by_chance
    return (agreeing * n_pixels - by_chance) / possible if possible else None
