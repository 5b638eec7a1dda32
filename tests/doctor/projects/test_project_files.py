"""Who answers the URLs of the projects' files: real small sites that serve some of them."""

from __future__ import annotations

import pytest

from tests.support.small_projects import DjangoProject, SmallSite, check, write_site

BLOG = 'script_alias("/blog", "scripts/blog.wsgi", process_group="blog"),\n'
SHOP = 'script_alias("/shop", "scripts/shop.wsgi", process_group="shop"),\n'
OR_NOT = "Or leave them to the server in front."
LET_IT = "Let this table serve them: "
OF_ITS_OWN = (
    "Give 'shop.settings' a STATIC_URL of its own, such as 'static/', which is put below its "
    "alias, and an entry for it."
)
OTHERS = 'alias("/robots.txt", "robots.txt"),\n'


def stored(url: str, folder: str = "stored") -> DjangoProject:
    """A project with a file in its STATIC_ROOT."""
    return DjangoProject(
        f"STATIC_URL = {url!r}\nSTATIC_ROOT = BASE_DIR / {folder!r}\n"
        "(STATIC_ROOT / 'css').mkdir(parents=True, exist_ok=True)\n"
        "(STATIC_ROOT / 'css/site.css').touch()\n"
    )


def site(aliases: str, own: str = "", **projects: DjangoProject) -> SmallSite:
    return SmallSite(aliases, projects, own=DjangoProject(own))


def check_with_files(directory, small_site):
    """What is found of a site that has a folder of files beside its projects."""
    directory = write_site(directory, small_site)
    (directory / "robots.txt").touch()
    (directory / "other").mkdir()
    found = check(directory)
    return [(each["id"].rpartition(".")[2], each["where"], each["hint"]) for each in found]


def test_a_url_of_files_that_no_entry_answers_has_the_line_to_paste(tmp_path):
    small_site = site(BLOG + OTHERS, blog=stored("/files/"))

    found = check_with_files(tmp_path / "site", small_site)

    assert found == [
        (
            "I002",
            "WSGIMATCH_ALIASES[0]",
            f"{LET_IT}alias('/files', '{tmp_path}/site/stored'). {OR_NOT}",
        )
    ]


def test_files_from_another_folder_are_found(tmp_path):
    small_site = site('alias("/files", "other"),\n' + BLOG, blog=stored("/files/"))

    found = check_with_files(tmp_path / "site", small_site)

    assert found == [
        (
            "W094",
            "WSGIMATCH_ALIASES[1]",
            f"Serve that folder: alias('/files', '{tmp_path}/site/stored').",
        )
    ]


def test_two_projects_with_their_files_at_one_url_are_found(tmp_path):
    small_site = site(
        'alias("/static", "of_blog"),\n' + BLOG + SHOP,
        blog=stored("/static/", "of_blog"),
        shop=stored("/static/", "of_shop"),
    )

    found = check_with_files(tmp_path / "site", small_site)

    assert found == [
        (
            "W093",
            "WSGIMATCH_ALIASES[2]",
            OF_ITS_OWN,
        )
    ]


def test_files_of_this_very_project_that_no_entry_answers_are_found(tmp_path):
    own = stored("/static/").settings

    found = check_with_files(tmp_path / "site", site(BLOG + OTHERS, own, blog=DjangoProject()))

    assert [(id, where) for id, where, _ in found] == [("I002", "STATIC_URL")]


@pytest.mark.parametrize(
    "small_site",
    [
        pytest.param(
            site('alias("/files", "stored"),\n' + BLOG, blog=stored("/files/")),
            id="from its folder",
        ),
        pytest.param(
            site('alias("/blog/static", "stored/"),\n' + BLOG, blog=stored("static/")),
            id="below the alias",
        ),
        pytest.param(site(BLOG, blog=stored("/files/")), id="all files are the front's"),
        pytest.param(
            site(
                'alias("/static", "stored"),\n' + BLOG + SHOP,
                blog=stored("/static/"),
                shop=stored("/static/"),
            ),
            id="two projects with one folder",
        ),
        pytest.param(
            site(BLOG + OTHERS, blog=stored("https://cdn.example.org/")), id="at another host"
        ),
    ],
)
def test_nothing_is_found_where_files_are_served(tmp_path, small_site):
    assert check_with_files(tmp_path / "site", small_site) == []
