"""The project file: every mistake at once, with its place and the nearest known word."""

from __future__ import annotations

from pathlib import Path

import pytest

from desireline.project.file import project_file_text, read_project_file
from desireline.project.state_place import open_state, schema_of
from desireline.vocabulary.errors import DesirelineError


def read(folder: Path, text: str):
    path = folder / "desireline.yaml"
    path.write_text(text, encoding="utf-8")
    return read_project_file(path)


def test_a_new_project_file_reads_back(tmp_path: Path) -> None:
    file = read(tmp_path, project_file_text("harbour", time_zone="Europe/Berlin"))
    assert (file.name, file.time_zone, file.currency, file.calendar) == ("harbour", "Europe/Berlin", "EUR", "office")
    assert file.calendars["office"]["open"]["mon"] == ["09:00-17:00"]


def test_an_empty_project_file_takes_the_folders_name(tmp_path: Path) -> None:
    assert read(tmp_path, "").name == tmp_path.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nmae: x", "line 1, column 1: unknown word 'nmae'. Did you mean 'name'?"),
        ("time_zone: Europe/Berln", "Did you mean 'Europe/Berlin'?"),
        ("currency: euro", "not three capital letters"),
        ("format: 7", "newer than this Desireline knows"),
        ("state: postgresql://me:secret@db/state", "'state' must name an environment variable"),
        ("- a", "is not a list of settings"),
        ("name: [a]", "'name' must be a text"),
        ("calendar: offic\ncalendars: {office: {open: {mon: ['09:00-17:00']}}}", "Did you mean 'office'?"),
        ("calendars: {office: {open: {mn: ['09:00-17:00']}}}", "unknown word 'mn'"),
        ("calendars: {office: {open: {mon: ['17:00-09:00']}}}", "'17:00-09:00' is not opening hours"),
        ("calendars: {office: {open: {mon: ['9-5']}}}", 'Write "09:00-17:00"'),
        ("calendars: {office: {}}", "must have 'open'"),
        ("calendars: {office: 3}", "must have 'open'"),
        ("calendars: [a]", "must name each calendar"),
        ("calendars: {o: {open: {mon: ['09:00-17:00']}, closed: [soon]}}", "'soon' is not a day"),
        ("calendars: {o: {time_zone: Mars, open: {mon: ['09:00-17:00']}}}", "'Mars' is not a time zone"),
        ("mail: {host: x, from: a@x.example, prot: 1}", "Did you mean 'port'?"),
        ("mail: {from: a@x.example}", "'mail' needs 'host'"),
        ("mail: {host: x, from: me}", "'me' is not a mail address"),
        ("mail: {host: x, from: a@x.example, port: 0}", "'0' is not a port"),
        ("mail: {host: x, from: a@x.example, security: ssl}", "'ssl' is not a security"),
        ("mail: {host: x, from: a@x.example, password_env: hunter2}", "Never write the secret itself"),
        ("mail: smtp.x.example", "must name a mail server"),
        ("public_url: harbour.example", "is not a URL"),
        ("name: [", "cannot be read"),
        ("name: !!python/object:os.system x", "tags such as"),
        ("name: a\nname: b", "duplicate key"),
    ],
)
def test_a_mistake_says_what_is_wrong_and_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DesirelineError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "desireline.yaml" in str(caught.value)


def test_a_mail_server_is_read_as_it_stands(tmp_path: Path) -> None:
    file = read(tmp_path, "public_url: https://harbour.example\nmail: {host: smtp.x.example, from: a@x.example}")
    assert (file.public_url, file.mail["host"]) == ("https://harbour.example", "smtp.x.example")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DesirelineError) as caught:
        read(tmp_path, "nmae: x\ncurrency: euro\ntime_zone: Mars\n")
    assert [mistake.line for mistake in caught.value.mistakes] == [1, 3, 2]


def test_a_missing_project_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DesirelineError, match="cannot be read"):
        read_project_file(tmp_path / "desireline.yaml")


def test_the_state_store_lies_where_the_variable_says(tmp_path: Path) -> None:
    file = read(tmp_path, "name: Harbour Bank\nstate: STATE_URL")
    with pytest.raises(DesirelineError, match=r"'STATE_URL' .* is not set"):
        open_state(file, tmp_path, environment={})
    with pytest.raises(DesirelineError, match="holds no address"):
        open_state(file, tmp_path, environment={"STATE_URL": "state.sqlite"})
    with pytest.raises(DesirelineError, match="must begin with postgresql://") as refused:
        open_state(file, tmp_path, environment={"STATE_URL": "mysql://me:secret@db/state"})
    assert "secret" not in str(refused.value)
    assert open_state(read(tmp_path, "name: x"), tmp_path).where == str(tmp_path / "state.sqlite")


def test_projects_that_share_a_server_have_a_schema_each() -> None:
    assert [schema_of(name) for name in ("Harbour Bank", "2nd bank", "Ä")] == [
        "harbour_bank",
        "project_2nd_bank",
        "project_",
    ]
