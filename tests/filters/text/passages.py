# ruff: noqa: RUF001 - texts in other scripts
"""Short real texts: the first articles of the Universal Declaration of Human Rights, which is in the public domain."""

ARTICLES = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience "
    "and should act towards one another in a spirit of brotherhood.\nEveryone is entitled to all the rights and "
    "freedoms set forth in this Declaration, without distinction of any kind, such as race, colour, sex, language, "
    "religion, political or other opinion, national or social origin, property, birth or other status.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt "
    "und sollen einander im Geist der Brüderlichkeit begegnen.\nJeder hat das Recht auf Leben, Freiheit und Sicherheit "
    "der Person.\nNiemand darf in Sklaverei oder Leibeigenschaft gehalten werden.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de "
    "conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и "
    "должны поступать в отношении друг друга в духе братства.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με "
    "λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "ar": "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميرًا وعليهم أن يعامل بعضهم بعضًا "
    "بروح الإخاء.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "zh": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "ja": "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
}

LIST = "• one\n• two\n- three\n- four\n• five\n" * 12
MENU = "Home\nAbout us\nContact\nHome\nAbout us\nContact\n" * 10
PAGES = (
    *ARTICLES.values(),
    " ".join([ARTICLES["en"]] * 3),
    "\n\n".join([ARTICLES["de"], ARTICLES["en"], ARTICLES["de"]]),
    LIST,
    MENU,
    "",
    " \n\t ",
    "\n\n",
    "# # # ... and so on …\nto be continued...\nread more …\n",
    "a " * 300,
    "one two three four five six " * 40,
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 8,
    "function f() { return 1; } is what it says here.\nPlease enable JavaScript to see this page.\n",
    "See [1] for this and that.[12] And more [citation needed] of the same. It is so. It was so. We say it. You do.",
    "line one\r\nline two\rline three\x0bline four\u2028line five\x85line six\r\n",
)

PIECES = (
    "Hello", "don't", "Don’t", "cannot", "it's", "I'm", "U.S.", "e.g.", "Mr.", "a.m.", "9pm", "10km", "3.14",
    "1,000", "$5", "US$", "100%", "5+", "x=y", "well-known", "mother-in-law", "a--b", "up…", "...", "..", ".",
    ",", "!", "?", ":", ";", "(", ")", "[", "]", "{", "}", '"', "'", "’", "“", "”", "«", "»", "-", "--", "—",
    "–", "/", "and/or", "http://a.example/b-c?d=e", "mail@example.org", "www.example.com", "file.txt", ":)",
    ":-(", "<3", "C++", "#", "*", "&", "+", "=", "~", "^", "©", "°C.", "😀", "你好", "。", "、", "的", "Привет",
    "слово.Другое", "été", "naïve,", "٪", "।", "नमस्ते", "ß", "Ω", "UPPER.", "ABC.", "a.", "lower.Upper", "x:y",
    "2-3", "2*3", "2^-1", "5'", "s'", "'s", "'em", "y'all", "word:)", "3rd", "v1.2", "=====", "_under_",
)  # fmt: skip
