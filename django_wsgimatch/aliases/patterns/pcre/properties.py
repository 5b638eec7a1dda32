r"""``\p{...}``: Unicode properties of the Latin-1 characters, which PCRE2 has without UTF."""

from __future__ import annotations

import re

from . import bytesets
from .cursor import Cursor

_PROPERTY = re.compile(r"([pP])(?:([A-Za-z])|\{(\^?)([^{}\\]*)\})")
_CATEGORIES = re.compile(r"c[cfnos]?|l[lmotu]?|m[cen]?|n[dlo]?|p[cdefios]?|s[ckmo]?|z[lps]?")
_QUALIFIED = re.compile(r"(?:sc|scx|script|scriptextensions|bc|bidiclass)[:=]")
# Scripts and binary properties of PCRE2 10.42, in the loose spelling of _normalised().
_OTHER_NAMES = """
adlam adlm aghb ahex ahom alpha alphabetic anatolianhieroglyphs arab arabic armenian armi armn
ascii asciihexdigit avestan avst bali balinese bamu bamum bass bassavah batak batk beng bengali
bhaiksuki bhks bidic bidicontrol bidim bidimirrored bopo bopomofo brah brahmi brai braille bugi
buginese buhd buhid cakm canadianaboriginal cans cari carian cased caseignorable caucasianalbanian
chakma cham changeswhencasefolded changeswhencasemapped changeswhenlowercased
changeswhentitlecased changeswhenuppercased cher cherokee chorasmian chrs ci common copt coptic
cpmn cprt cuneiform cwcf cwcm cwl cwt cwu cypriot cyprominoan cyrillic cyrl dash
defaultignorablecodepoint dep deprecated deseret deva devanagari di dia diacritic diak divesakuru
dogr dogra dsrt dupl duployan ebase ecomp egyp egyptianhieroglyphs elba elbasan elym elymaic emod
emoji emojicomponent emojimodifier emojimodifierbase emojipresentation epres ethi ethiopic ext
extendedpictographic extender extpict geor georgian glag glagolitic gong gonm goth gothic gran
grantha graphemebase graphemeextend graphemelink grbase greek grek grext grlink gujarati gujr
gunjalagondi gurmukhi guru han hang hangul hani hanifirohingya hano hanunoo hatr hatran hebr
hebrew hex hexdigit hira hiragana hluw hmng hmnp hung idc idcontinue ideo ideographic ids idsb
idsbinaryoperator idst idstart idstrinaryoperator imperialaramaic inherited inscriptionalpahlavi
inscriptionalparthian ital java javanese joinc joincontrol kaithi kali kana kannada katakana
kayahli khar kharoshthi khitansmallscript khmer khmr khoj khojki khudawadi kits knda kthi lana lao
laoo latin latn lepc lepcha limb limbu lina linb lineara linearb lisu loe logicalorderexception
lower lowercase lyci lycian lydi lydian mahajani mahj maka makasar malayalam mand mandaic mani
manichaean marc marchen masaramgondi math medefaidrin medf meeteimayek mend mendekikakui merc mero
meroiticcursive meroitichieroglyphs miao mlym modi mong mongolian mro mroo mtei mult multani
myanmar mymr nabataean nand nandinagari narb nbat nchar newa newtailue nko nkoo
noncharactercodepoint nshu nushu nyiakengpuachuehmong ogam ogham olchiki olck oldhungarian
olditalic oldnortharabian oldpermic oldpersian oldsogdian oldsoutharabian oldturkic olduyghur
oriya orkh orya osage osge osma osmanya ougr pahawhhmong palm palmyrene patsyn patternsyntax
patternwhitespace patws pauc paucinhau pcm perm phag phagspa phli phlp phnx phoenician plrd
prependedconcatenationmark prti psalterpahlavi qaac qaai qmark quotationmark radical
regionalindicator rejang ri rjng rohg runic runr samaritan samr sarb saur saurashtra sd
sentenceterminal sgnw sharada shavian shaw shrd sidd siddham signwriting sind sinh sinhala
softdotted sogd sogdian sogo sora sorasompeng soyo soyombo space sterm sund sundanese sylo
sylotinagri syrc syriac tagalog tagb tagbanwa taile taitham taiviet takr takri tale talu tamil
taml tang tangsa tangut tavt telu telugu term terminalpunctuation tfng tglg thaa thaana thai
tibetan tibt tifinagh tirh tirhuta tnsa toto ugar ugaritic uideo unifiedideograph unknown upper
uppercase vai vaii variationselector vith vithkuqi vs wancho wara warangciti wcho whitespace
wspace xan xidc xidcontinue xids xidstart xpeo xps xsp xsux xuc xwd yezi yezidi yi yiii
zanabazarsquare zanb zinh zyyy zzzz
"""
_KNOWN = frozenset(_OTHER_NAMES.split())


def property_escape(cursor: Cursor, caseless: bool) -> int:
    """
    Read a property from behind its backslash and return the bytes that have it.

    Only general categories are known by their members. A script or a binary property is foreign,
    and a name that PCRE2 does not know is invalid.
    """
    found = cursor.take(_PROPERTY)
    if not found:
        raise cursor.invalid(r"malformed \P or \p sequence")
    kind, letter, negation, name = found.groups()
    name = _normalised(letter or name)
    mask = _members(cursor, name)
    if caseless and name in ("lu", "ll", "lt"):
        # PCRE2 10.42 keeps the case here, later releases do not.
        cursor.unportable = rf"\{kind}{{{name.capitalize()}}} under (?i)"
    return mask if (kind == "p") != bool(negation) else bytesets.ALL ^ mask


def _normalised(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _members(cursor: Cursor, name: str) -> int:
    if name == "any":
        return bytesets.ALL
    if name in ("l&", "lc"):
        return bytesets.of_category("Lu") | bytesets.of_category("Ll")
    if _CATEGORIES.fullmatch(name):
        return bytesets.of_category(name.capitalize())
    if name in _KNOWN or _QUALIFIED.match(name):
        cursor.note_foreign(rf"\p{{{name}}}")
        return bytesets.ALL
    raise cursor.invalid(f"unknown property name {name!r} after \\P or \\p")
