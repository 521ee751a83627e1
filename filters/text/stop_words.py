"""The words that prose of a language cannot do without, and how many of them a text has.

English has the eight of Rae et al. (2021). The other lists are this project's own, of eight words that are everywhere in
the language (two scripts or spellings: the words of both), in small letters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from curate.errors import StageError, nearest
from filters.text.exceptions import Lexicon
from filters.text.words import Words

FROM_COLUMN = "column"
UNKNOWN = frozenset({"", "und"})
DEFAULT = "en"
"""Whose words are asked for where a language is not known."""

_LISTS = """
af die van en in is het dat nie
ar في من على أن إلى هذا التي ما
az və bir bu da də üçün ilə olan
be і ў не на што з да як
bg на и в за се да от с
bn এবং এই করে থেকে হয় জন্য না যে
bs i u je na se da za su
ca de la que el i en els per
cs a v se na je že to s
cy y yn i a o ar ei bod
da og det at en til er som på
de der die und das ist nicht mit von
el και το να του η της με για
en the be to of and that have with
eo la de kaj en al estas ne ke
es de la que el en y los se
et ja on ei et see ka mis oli
eu eta da ez bat ere dute duen izan
fa و در به از که این با را
fi ja on ei se että joka kun myös
fr de la le et les des est que
ga an na agus ar go is a le
gl de a que e o en do non
he של את על לא הוא זה עם כי
hi के में की है और से को का
hr i u je na se da za su
hu a az és hogy nem is egy meg
id yang dan di untuk dengan ini itu dari
is og að í á sem er til við
it di il la che in per non un
ja の に は を た が で と
ko 이 그 수 및 있는 것 할 등
la et in est non ad ut cum sed
lt ir kad į su iš tai bet kaip
lv un ir ka no ar par uz kas
mk на и во за се да од со
mr आणि आहे या व हे तो ही नाही
ms yang dan di untuk dengan ini itu dari
nb og det i en til er som på
nl de het een van en in is dat
nn og det i ein til er som på
no og det i en ein til er som på
pl w i na z się nie do że
pt de que não para com uma os do
ro de și în la cu nu care pe şi
ru и в не на что с по как
sk a v sa na je že to s
sl in je v na se da za ki
sq të e në dhe për një me që
sr и у је на се да за су i u je na se da za su
sv och att det i en som på är
sw na ya wa kwa ni la katika za
ta மற்றும் ஒரு இந்த என்று உள்ள அந்த அது இது
te మరియు ఈ ఒక ఆ అని కూడా లో కు
tl ang ng sa na mga at ay ni
tr ve bir bu da de için ile olarak
uk і в не на що з та до
ur کے میں کی ہے اور سے کو کا
vi và của là có không được cho các
zh 的 是 在 不 了 和 有 一
"""
LISTS: dict[str, tuple[str, ...]] = {
    line.split()[0]: tuple(dict.fromkeys(line.split()[1:])) for line in _LISTS.strip().splitlines()
}


def code_of(language: str | None) -> str:
    """Return a language's code without script or country, `en` where it is not known."""
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    return DEFAULT if code in UNKNOWN else code


@dataclass(frozen=True)
class StopWords:
    """The lists that a stage asks for."""

    codes: tuple[str, ...]
    lexicon: Lexicon
    member: NDArray[np.int64]
    """int64[words, codes]: 1 where a word is in a language's list."""

    @classmethod
    def of(cls, language: str, own: Mapping[str, Sequence[str]]) -> Self:
        """Take the list of a language, or all lists where rows say themselves what they are written in.

        Raises:
            StageError: there is no list for the language.
        """
        lists = {**LISTS, **{code_of(code): tuple(some) for code, some in own.items()}}
        if language != FROM_COLUMN:
            code = code_of(language)
            if code not in lists:
                raise StageError(
                    f"no stop words for the language '{language}'.{nearest(language, tuple(lists))} Give a list under "
                    f"`stop_words`, turn the rule off with `stop_words_at_least: null`, or say `language: {FROM_COLUMN}`"
                )
            lists = {code: lists[code]}
        words = sorted({word for some in lists.values() for word in some})
        member = np.array([[word in some for some in lists.values()] for word in words], np.int64)
        return cls(tuple(lists), Lexicon.of(words), member.reshape(len(words), len(lists)))

    def count(self, words: Words) -> NDArray[np.int64]:
        """Return int64[rows, codes]: how many distinct words of each list a row has."""
        which = self.lexicon.find(words.hashes)
        found = which >= 0
        present = np.zeros((words.slice.rows, len(self.member)), np.int64)
        present[words.slice.row_of(words.starts[found]), which[found]] = 1
        return present @ self.member

    def choose(self, counts: NDArray[np.int64], languages: Sequence[str | None]) -> NDArray[np.float64]:
        """Return float64[n]: of each row the count by its language's list, not-a-number where there is no list."""
        place = {code: index for index, code in enumerate(self.codes)}
        which = np.array([place.get(code_of(language), -1) for language in languages], np.int64)
        if len(which) == 0:
            return np.zeros(0)
        return np.where(which >= 0, counts[np.arange(len(which)), which], np.nan)
