"""Dates of birth: a whole date behind words that say so. A date alone is none, nor is a year or a day without one."""

import re
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

_CUE = (
    r"(?:date[ ]of[ ]birth|birth[ ]?date|birth[ ]?day|\bd\.?o\.?b\b\.?|\bborn\b(?:[ ]on)?(?:[ ]the)?"
    r"|\bgeburtsdatum|\bgeboren(?:[ ]am)?|\bgeb\.|date[ ]de[ ]naissance|\bn[ée]e?[ ]le"
    r"|fecha[ ]de[ ]nacimiento|\bnacid[oa][ ]el|data[ ]di[ ]nascita|\bnat[oa][ ]il"
    r"|data[ ]de[ ]nascimento|geboortedatum|\bgeboren[ ]op)"
)
_BETWEEN = r"(?:[ ]?\([^()\n]{1,16}\))?[\s:=\-\u2013]{0,4}(?:is[ ]|was[ ]|on[ ]|the[ ]|am[ ]|el[ ]|le[ ]|il[ ]){0,2}"
_MONTH = (
    r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|janv|f[ée]v|avr|juin|juil|ao[uû]|d[ée]c|ene|abr|ago|dic|gen"
    r"|mag|giu|lug|set|ott|fev|out|mrt|mei)[a-zéûçäáo]{0,8}"
)
_YEAR = r"(?:1[89]|20)\d\d"
_DATE = (
    rf"(?:{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/. ]{{1,2}}\d{{1,2}}[-/. ]{{1,2}}(?:{_YEAR}|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|er)?[ ](?:of[ ]|de[ ])?{_MONTH}\.?,?[ ](?:de[ ])?{_YEAR}"
    rf"|{_MONTH}\.?[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]{_YEAR})(?![\d])"
)
_DATED = re.compile(rf"(?i){_CUE}{_BETWEEN}({_DATE})")


def _find(text: str) -> Iterator[Found]:
    for hit in _DATED.finditer(text):
        yield Found(*hit.span(1), 0.8)


DATES_OF_BIRTH = Recognizer(
    name="DateOfBirthRecognizer",
    entity="DATE_OF_BIRTH",
    needs=(
        r"(?i)birth|\bd\.?o\.?b\b|\bborn\b|\bgeb(?:oren|urts|oorte|\.)|\bn[ée]e?[ ]le|naissance|nacimiento|nacid[oa]"
        r"|nascita|nascimento|\bnat[oa][ ]il"
    ),
    find=_find,
)
