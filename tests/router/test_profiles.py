"""Profiles: requirements from a file, and mistakes in it in one line."""

from decimal import Decimal
from pathlib import Path

import pytest

from tokenfare.errors import InputError
from tokenfare.money import Money
from tokenfare.router import Requirements
from tokenfare.router.profiles import load_profiles, profile_named
from tokenfare.router.requirement_options import requirements_from

FILE = """
[bulk]
batch = true
max_output_tokens = 500
deny = ["*-vl-*"]

[bulk-code]
extends = "bulk"
purpose = "code"
max_fare = "0.05 USD"
kinds = ["stable"]
needs = ["image"]
"""


def written(path: Path, text: str) -> Path:
    file = path / "profiles.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_profile_is_requirements_over_those_it_extends(tmp_path: Path) -> None:
    profiles = load_profiles(written(tmp_path, FILE))
    assert profiles["bulk"] == Requirements(batch=True, max_output_tokens=500, deny=("*-vl-*",))
    assert profiles["bulk-code"] == Requirements(
        batch=True,
        max_output_tokens=500,
        deny=("*-vl-*",),
        purpose="code",
        max_fare=Money(Decimal("0.05"), "USD"),
        currency="USD",
        kinds=frozenset({"stable"}),
        needs=frozenset({"text", "image"}),
    )


def test_a_keyword_wins_over_the_profile(tmp_path: Path) -> None:
    bulk = profile_named("bulk", written(tmp_path, FILE))
    asked = requirements_from({"max_output_tokens": 9, "batch": False}, bulk)
    assert (asked.max_output_tokens, asked.batch, asked.deny) == (9, False, ("*-vl-*",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a\n", "not TOML"),
        ("a = 1\n", "a: a profile is a table, [a], not a value"),
        ("[a]\npurposes = 1\n", "[a] purposes: no such key; nearest: purpose"),
        ("[a]\nbatch = 1\n", "[a] batch: a valid boolean expected, not 1"),
        ("[a]\nmax_fare = 0.05\n", '[a] max_fare: expected an amount such as "0.05 CNY", not 0.05'),
        ('[a]\nmax_fare = "0.05"\n', "[a] max_fare: expected an amount"),
        ("[a]\nmax_output_tokens = 0\n", "[a] max_output_tokens is 0"),
        ('[a]\nneeds = ["smell"]\n', "[a] needs: 'smell' is not one of audio, file, image"),
        ('[a]\nextends = "b"\n[bb]\n', "[a] extends: no profile 'b'; nearest: bb"),
        (
            '[a]\nextends = "b"\n[b]\nextends = "a"\n',
            "[a] extends: a circle: a extends b extends a",
        ),
        ('[a]\nallow = ["x"]\ndeny = ["x"]\n', "[a] allow and deny both say 'x'"),
    ],
)
def test_a_mistake_names_file_profile_key_and_remedy(tmp_path: Path, text: str, says: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(InputError) as raised:
        load_profiles(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert says in str(raised.value)


def test_a_profile_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no profile is called 'bulkcode'; nearest: bulk-code"):
        profile_named("bulkcode", written(tmp_path, FILE))
    with pytest.raises(InputError, match="no such file"):
        load_profiles(tmp_path / "missing.toml")
