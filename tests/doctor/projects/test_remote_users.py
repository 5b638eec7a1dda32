"""Projects that wait for REMOTE_USER: each is told once, whatever leads to it."""

from __future__ import annotations

import pytest

from django_wsgimatch import script_alias
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.findings.project_report import Told
from django_wsgimatch.doctor.findings.subject import Subject
from django_wsgimatch.doctor.projects.projects_by_url import FALLBACK, Key
from django_wsgimatch.doctor.projects.remote_users import remote_user_findings
from django_wsgimatch.entries import to_alias

WAITING = Told(is_django=True, settings_module="blog.settings", needs_remote_user=True)
OTHER = Told(is_django=True, settings_module="shop.settings", needs_remote_user=True)


@pytest.fixture
def where(tmp_path):
    """The places that are named for what projects have told; a script's source is given."""

    def where_is(told, sources):
        entry = script_alias("/x", "x.wsgi")
        table = AliasTable([to_alias(entry, process_groups=(), variables={})])
        for name, source in sources.items():
            (tmp_path / name).write_text(source)
        keys = {name: Key("blog", "", str(tmp_path / name)) for name in sources}
        subjects = {key: Subject(name, entry, table, 0) for name, key in keys.items()}
        all_told = {keys.get(name, FALLBACK): each for name, each in told.items()}
        return [finding.where for finding in remote_user_findings(all_told, subjects)]

    return where_is


def test_a_project_is_told_once(where):
    assert where({"a": WAITING, "b": WAITING, "": WAITING}, {"a": "", "b": ""}) == ["a"]


def test_each_project_is_told(where):
    assert where({"a": WAITING, "b": OTHER}, {"a": "", "b": ""}) == ["a", "b"]


def test_the_server_s_own_project_has_a_setting_for_its_place(where):
    assert where({"": WAITING}, {}) == ["MIDDLEWARE"]


def test_a_script_that_sets_it_is_left_in_peace(where):
    assert where({"a": WAITING}, {"a": "environ['REMOTE_USER'] = 'ann'"}) == []


def test_a_project_with_users_of_its_own(where):
    assert where({"a": Told(is_django=True)}, {"a": ""}) == []
