"""What a recognizer finds in a text, checked against what it says it needs."""


def found(recognizer, text):
    """The findings that no other one covers, in order."""
    spans = sorted({(start, stop) for start, stop, _ in recognizer.find(text)})
    assert recognizer.may_find(text) or not spans, f"{recognizer.needs} is not found in {text!r}"
    whole = [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
    return [text[start:stop] for start, stop in whole]
