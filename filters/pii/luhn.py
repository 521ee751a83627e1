"""The check digit of card numbers."""


def passes_luhn(digits: str) -> bool:
    """Tell whether a number, given as decimal digits alone, ends in its right check digit (ISO/IEC 7812-1, annex B)."""
    doubled = sum(int("0246813579"[int(digit)]) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[::-2]))) % 10 == 0
