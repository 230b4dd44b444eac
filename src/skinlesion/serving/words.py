"""A probability in words."""

__all__ = ["frequency"]


def frequency(probability: float) -> str:
    """Say a probability as how many of how many: people read these better than shares.

    Args:
        probability: In [0, 1].

    Returns:
        Such as "4 in 1,000". The lesions of an answer are compared, so all are of 1,000 where
        that leaves one digit, and of more only below.

    Source:
        Gigerenzer et al. (2007), https://doi.org/10.1111/j.1539-6053.2008.00033.x
    """
    for n in (1_000, 10_000, 100_000):
        count = round(probability * n)
        if count == n and probability < 1:
            return f"more than {n - 1:,} in {n:,}"
        if count:
            return f"{count:,} in {n:,}"
    return "fewer than 1 in 100,000"
