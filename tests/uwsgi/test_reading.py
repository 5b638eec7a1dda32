from __future__ import annotations

import os

import pytest

from django_wsgimatch.apache.lines.limits import MOST_TEXT, Volume
from django_wsgimatch.uwsgi.importing import import_uwsgi
from django_wsgimatch.uwsgi.reading import read_instance
from tests.support.others.imported_sites import refusals_of, write_site


def options_of(folder, files, name="site.ini", **environ):
    """The options of a file that count, by name and value."""
    write_site(folder, files)
    found = read_instance(str(folder / name), environ, Volume())
    assert found.refusals == ()
    return [(each.line.name, each.value) for each in found.options if not each.line.is_off]


def test_an_ini_file_is_read_as_uwsgi_reads_it(tmp_path):
    lines = "[other]\na = 1\n[uwsgi]\n ; no\n# no\nb=2 ; yes\n\tc\t=\t3\r\nmaster\n[end]\nd = 4\n"

    found = options_of(tmp_path, {"site.ini": lines})

    assert found == [("b", "2 ; yes"), ("c", "3"), ("master", "")]


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        pytest.param("%n.%e of %s", "site.ini of site.ini", id="a name in parts"),
        pytest.param("%d", "{ROOT}/", id="a folder"),
        pytest.param("%p", "{ROOT}/site.ini", id="a path"),
        pytest.param("100%%", "100%", id="a percent sign"),
        pytest.param("%(one)%(two)", "12", id="values of options"),
        pytest.param("%(nested)", "1", id="a value that asks for another"),
        pytest.param("%(%(name))", "1", id="a name that is computed"),
        pytest.param("%(one + two)", "3", id="a sum"),
        pytest.param("%(one two ++)", "13", id="put together, and one more"),
        pytest.param("%(two * 4 / 3)", "2", id="from left to right"),
        pytest.param("$(HERE)", "there", id="a variable"),
        pytest.param("$(NOT-else)", "else", id="a variable's default"),
        pytest.param("$(EMPTY:-else)", "else", id="a default where it is empty"),
        pytest.param("%(set)", "5", id="a value that is set"),
        pytest.param("%(none) $(NONE) @(file)", "%(none) $(NONE) @(file)", id="without a value"),
        pytest.param("%(round)", "%(round)", id="a value that asks for itself"),
    ],
)
def test_placeholders_are_filled_in(tmp_path, value, filled):
    more = "one=1\ntwo=2\none=7\nname=one\nnested=%(one)\nround=%(round)\nset-ph=set=5\n"

    found = options_of(
        tmp_path, {"site.ini": f"[uwsgi]\nx = {value}\n{more}"}, HERE="there", EMPTY=""
    )

    assert found[0] == ("x", filled.replace("{ROOT}", str(tmp_path)))


def test_values_that_grow_without_end_do_not(tmp_path):
    doubling = "".join(f"a{n} = %(a{n + 1})%(a{n + 1})\n" for n in range(60))

    found = options_of(tmp_path, {"site.ini": f"[uwsgi]\n{doubling}a60 = xxxxxxxx\n"})

    assert max(len(value) for _, value in found) <= 2 * 65536


def test_loops_and_conditions_are_followed(tmp_path):
    text = (
        "[uwsgi]\nfor = a b\nx = %(_)\nendfor =\nfor-times = 2\ny = %(_)\nend =\n"
        "if-env = HOME\nz = 1\nendif =\nif-not-env = HOME\nz = 2\nendif =\n"
        "if-exists = /\nw = %(_)\nendif =\nif-opt = z=1\nv = 1\nendif =\n"
    )

    found = options_of(tmp_path, {"site.ini": text}, HOME="/root")

    wanted = [each for each in found if each[0] in "vwxyz"]
    assert wanted == [
        *[("x", "a"), ("x", "b"), ("y", "1"), ("y", "2"), ("z", "1"), ("w", "/"), ("v", "1")]
    ]


def test_xml_is_read(tmp_path):
    text = (
        '<?xml version="1.0"?>\n<all>\n<uwsgi>\n<master/>\n<chdir>%d</chdir>\n'
        '<app mountpoint="/x"><script>shop</script></app>\n</uwsgi>\n<uwsgi><no/></uwsgi></all>\n'
    )

    found = options_of(tmp_path, {"site.xml": text}, "site.xml")

    assert found == [("master", "1"), ("chdir", f"{tmp_path}/"), ("mount", "/x=shop")]


def test_json_is_read(tmp_path):
    text = '{"uwsgi": {"processes": 2, "master": true, "env": ["A=b", "C=d"]}, "x": {"y": 1}}'

    found = options_of(tmp_path, {"site.json": text}, "site.json")

    assert found == [("processes", "2"), ("master", "1"), ("env", "A=b"), ("env", "C=d")]


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        pytest.param(
            {"site.ini": "[uwsgi]\nmaster = 1\nini = none.ini\n"},
            "site.ini:3: ini = none.ini: none.ini cannot be read: No such file or directory. Copy "
            "the file from the server, correct its name, or run the command as a user who may",
            id="a file that is not there",
        ),
        pytest.param(
            {"site.ini": "[uwsgi]\nini = a.ini\n", "a.ini": "[uwsgi]\n\ninclude = site.ini\n"},
            "a.ini:3: include = site.ini: site.ini includes itself, and uWSGI would never end. "
            "Take out the line",
            id="files that include each other",
        ),
        pytest.param(
            {"site.ini": "[uwsgi]\nini = :x\n[x]\nini = :x\n"},
            "site.ini:4: ini = :x: site.ini:x includes itself, and uWSGI would never end. Take "
            "out the line",
            id="a section that includes itself",
        ),
        pytest.param(
            {"site.ini": "[usgi]\nmodule = shop\n"},
            "site.ini:1: : site.ini has no section [uwsgi]. Name the one that uWSGI reads as "
            "FILE:SECTION, or write the line before its options",
            id="no section",
        ),
        pytest.param(
            {"site.ini": "[uwsgi]\nyaml = a.yml\n", "a.yml": "uwsgi:\n  master: 1\n"},
            "site.ini:2: yaml = a.yml: this file is YAML. UWSGI's YAML is not read here: `uwsgi "
            "--yaml FILE --show-config` prints it as an ini file, which is",
            id="YAML",
        ),
        pytest.param(
            {"site.ini": "[uwsgi]\njson = a.json\n", "a.json": '{"uwsgi": {\n"a" 1}}'},
            "a.json:2: json = a.json: this is not JSON: a colon should stand behind a name. Check "
            "the file with `python -m json.tool`, which says no more but the column, too",
            id="broken JSON",
        ),
        pytest.param(
            {"site.ini": "[uwsgi]\nxml = a.xml\n", "a.xml": "<uwsgi>\n<a>\n</uwsgi>"},
            "a.xml:3: xml = a.xml: this is not XML: mismatched tag. Correct the line",
            id="broken XML",
        ),
        pytest.param(
            {
                "site.ini": "[uwsgi]\nxml = a.xml\n",
                "a.xml": '<!DOCTYPE a [\n<!ENTITY b "c">]>\n<uwsgi><x>&b;</x></uwsgi>',
            },
            "a.xml:2: xml = a.xml: it declares an entity. Write the text where the entity stands",
            id="XML with an entity",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, monkeypatch, files, refusal):
    # Nobody but its user may look into the folder of a test.
    monkeypatch.setattr("django_wsgimatch.uwsgi.reading.is_private", lambda path: False)
    write_site(tmp_path, files)

    imported = import_uwsgi([str(tmp_path / "site.ini")], {})

    assert refusals_of(imported, tmp_path) == [refusal]


def test_a_file_that_is_too_long_is_refused(tmp_path):
    path = tmp_path / "site.ini"
    with path.open("wb") as file:
        file.write(b"[uwsgi]\n")
        os.truncate(file.fileno(), MOST_TEXT + 1)

    imported = import_uwsgi([str(path)], {})

    [refused] = refusals_of(imported, tmp_path)
    assert refused.startswith(
        "site.ini:1: : the import gives up: site.ini is too long, and the configuration has more "
        "than 33,554,432 characters"
    )


def test_files_that_multiply_are_refused(tmp_path):
    files = {f"{n}.ini": "[uwsgi]\n" + f"ini = {n + 1}.ini\n" * 20 for n in range(12)}
    write_site(tmp_path, {**files, "12.ini": "[uwsgi]\n"})

    imported = import_uwsgi([str(tmp_path / "0.ini")], {})

    [refused] = refusals_of(imported, tmp_path)
    assert "the import gives up: one uWSGI reads more than 1,000 files" in refused


def test_a_folder_without_files_of_uwsgi_is_refused(tmp_path):
    imported = import_uwsgi([str(tmp_path)], {})

    assert imported.settings is None
    assert imported.outcomes[0].note.endswith("has no file of uWSGI. Name another folder")
