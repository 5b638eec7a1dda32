"""
What the suffixes of a file's name stand for, beside the system's mime.types.

These are the AddLanguage, AddCharset, AddType and RemoveType lines of the ``mime.conf`` that
Debian enables with Apache, in lower case as mod_mime keeps them.
"""

from __future__ import annotations

_LANGUAGES = """
    be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka
    kk km kn ko ku lo lt ltz lv mg mk ml mr ne nl nn no pa pt-br pt ro ru sa se si sk sl sq sr sv ta
    te th tl tr uk ur vi wo xh zh-cn zh-tw amh=am ara=ar cz=cs dk=da glg=gl msa=ms nob=nb po=pl
"""
_CHARSETS = """
    ascii=us-ascii us-ascii big5 b5=big5 cn-big5 cp866 cp-1251=windows-1251 win-1251=windows-1251
    iso8859-1=iso-8859-1 latin1=iso-8859-1 iso8859-2=iso-8859-2 latin2=iso-8859-2 cen=iso-8859-2
    iso8859-3=iso-8859-3 latin3=iso-8859-3 iso8859-4=iso-8859-4 latin4=iso-8859-4
    iso8859-5=iso-8859-5 cyr=iso-8859-5 iso-ru=iso-8859-5 iso8859-6=iso-8859-6 arb=iso-8859-6
    arabic=iso-8859-6 iso8859-7=iso-8859-7 grk=iso-8859-7 greek=iso-8859-7 iso8859-8=iso-8859-8
    heb=iso-8859-8 hebrew=iso-8859-8 iso8859-9=iso-8859-9 latin5=iso-8859-9 trk=iso-8859-9
    iso8859-10=iso-8859-10 latin6=iso-8859-10 iso8859-13=iso-8859-13 iso8859-14=iso-8859-14
    latin8=iso-8859-14 iso8859-15=iso-8859-15 latin9=iso-8859-15 iso8859-16=iso-8859-16
    latin10=iso-8859-16 iso2022-jp=iso-2022-jp jis=iso-2022-jp iso2022-kr=iso-2022-kr
    kis=iso-2022-kr iso2022-cn=iso-2022-cn cis=iso-2022-cn koi8 koi8-e koi8-r koi8-ru=koi8-r koi8-u
    koi8-uk=koi8-ru ua=koi8-ru ucs2=iso-10646-ucs-2 ucs4=iso-10646-ucs-4 ucs-2=iso-10646-ucs-2
    ucs-4=iso-10646-ucs-4 iso-10646-ucs-2 iso-10646-ucs-4 utf7=utf-7 utf8=utf-8 utf16=utf-16
    utf16be=utf-16be utf16le=utf-16le utf32=utf-32 utf32be=utf-32be utf32le=utf-32le euc-cn euc-gb
    euc-jp euc-kr euc-tw gb2312 gb=gb2312 shift_jis sjis=shift_jis brf
"""


def _table(words: str) -> dict[str, str]:
    """Read a table: a suffix alone stands for itself."""
    parted = (word.partition("=") for word in words.split())
    return {suffix: value or suffix for suffix, _, value in parted}


LANGUAGES = _table(_LANGUAGES)
CHARSETS = _table(_CHARSETS)
# "" for a suffix that stands for no type, whatever mime.types says.
TYPES = {
    "z": "application/x-compress",
    "gz": "application/x-gzip",
    "tgz": "application/x-gzip",
    "bz2": "application/x-bzip2",
    "shtml": "text/html",
    "es": "",
    "tr": "",
}
