"""The policy: presets, TOML, overrides, and errors that say where."""

from pathlib import Path

import pytest

from redact.errors import ExitCode, UsageError
from redact.policy import PRESETS, Policy, Section, describe, load_policy


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_and_names_itself(name: str) -> None:
    assert load_policy(name).name == name


def test_strict_is_what_an_empty_policy_means() -> None:
    assert load_policy("strict").digest() == Policy().digest()


def test_a_bare_word_stands_for_the_mode_of_its_section() -> None:
    assert load_policy("strict", ["audio=keep"]).audio.mode == "keep"
    assert load_policy("strict", ["text=off"]).text.mode == "off"


def test_an_override_changes_one_field_and_leaves_its_neighbours() -> None:
    policy = load_policy("strict", ["faces.padding=0.8", "faces.mode=careful"])
    assert (policy.faces.padding, policy.faces.mode) == (0.8, "careful")
    assert policy.faces.min_padding_px == Policy().faces.min_padding_px


@pytest.mark.parametrize(
    "override", ["faces.paddng=1", "nonsense=1", "faces.padding=0.01", "video.codec=mpeg2", "faces", "=3"]
)
def test_an_unknown_key_or_bad_value_is_a_usage_error(override: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_policy("strict", [override])
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_toml_file_builds_on_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text('preset = "desk"\naudio = "keep"\n[video]\ncrf = 24\n')
    policy = load_policy(str(file))
    assert (policy.metadata.rights, policy.audio.mode, policy.video.crf) == ("keep", "keep", 24)


def test_an_unknown_key_in_a_toml_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text("[video]\ncrff = 24\n")
    with pytest.raises(UsageError, match=r"video\.crff"):
        load_policy(str(file))


def test_the_digest_follows_settings_and_not_the_name() -> None:
    assert load_policy("strict", ["name=other"]).digest() == load_policy("strict").digest()
    assert load_policy("strict", ["video.crf=21"]).digest() != load_policy("strict").digest()


def test_every_setting_is_documented_and_can_be_set() -> None:
    for key, value, meaning in describe(Policy()):
        assert meaning, key
        if value is not None and not isinstance(value, (tuple, Section)):  # TOML knows no null
            load_policy("strict", [f"{key}={str(value).lower() if isinstance(value, bool) else value}"])


KEEPING = ["keep.mode=reviewed", "keep.until=2031-05-01"]


def test_faces_are_kept_only_by_a_policy_of_its_own_name_that_ends() -> None:
    policy = load_policy("strict", [*KEEPING, "name=own-reporter"])
    assert policy.keep.until is not None
    for missing in (KEEPING, [*KEEPING, "name=desk"], ["keep.mode=reviewed", "name=own-reporter"]):
        with pytest.raises(UsageError, match=r"keep\.mode needs"):
            load_policy("strict", missing)


@pytest.mark.parametrize("mode", ["keep", "bleep", "disguise"])
def test_only_a_named_policy_may_say_that_a_person_listened(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(f'name = "heard"\n[audio]\nmode = "{mode}"\nlistened = true\n')
    assert load_policy(str(file)).audio.listened
    assert not load_policy(str(file)).audio.unheard
    assert load_policy("strict", [f"audio={mode}"]).audio.unheard
    with pytest.raises(UsageError, match="listened"):
        load_policy("strict", [f"audio={mode}", "audio.listened=true"])


@pytest.mark.parametrize("mode", ["remove", "mute_speech"])
def test_listening_means_nothing_where_a_machine_decides(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(f'name = "heard"\n[audio]\nmode = "{mode}"\nlistened = true\n')
    with pytest.raises(UsageError, match="listened"):
        load_policy(str(file))
    assert not load_policy("strict", [f"audio={mode}"]).audio.unheard
