"""The sample files name everything, and are what they say they are."""

from pathlib import Path

import yaml

from multisite import samples, settings
from multisite.options import GROUPS
from multisite.rules import list_rules


def test_the_sample_configuration_names_every_option_with_its_help() -> None:
    text = samples.config()
    for group, options in GROUPS.items():
        assert f"[{group}]" in text
        for option in options:
            assert f"#{option.name} =" in text
            assert option.help.split(".")[0].split(" (")[0][:40] in " ".join(text.replace("\n#", "").split())
    assert "[keystone_authtoken]" in text
    assert "# [keystone_authtoken] token_cache_time = 30" in text


def test_the_sample_configuration_is_one_with_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "multisite.conf"
    file.write_text(samples.config(), encoding="utf-8")
    assert settings.load(files=[file]).sweep == settings.load(files=[]).sweep


def test_the_sample_policy_with_its_comments_removed_is_the_policy() -> None:
    rules = "\n".join(line[1:] for line in samples.policy().splitlines() if line.startswith('#"'))
    assert yaml.safe_load(rules) == {rule.name: rule.check_str for rule in list_rules()}


def test_the_sample_policy_names_the_routes_that_each_rule_guards() -> None:
    assert "# PATCH /v1/regions/{name}" in samples.policy()
