"""Sample files, from the same declarations that the service runs with."""

import io
from textwrap import wrap

from oslo_config import generator

from multisite.options import TOKEN_DEFAULTS
from multisite.rules import list_rules

_WIDTH = 100
NAMESPACES = ("multisite", "keystonemiddleware.auth_token", "oslo.log", "oslo.policy")


def config() -> str:
    """multisite.conf with every option, its help and its default."""
    from oslo_config import cfg

    conf = cfg.ConfigOpts()
    generator.register_cli_opts(conf)
    arguments = [f"--namespace={name}" for name in NAMESPACES]
    conf([*arguments, f"--wrap-width={_WIDTH}"], project="multisite", default_config_files=[])
    output = io.StringIO()
    generator.generate(conf, output)
    changed = [f"# [keystone_authtoken] {name} = {value}" for name, value in TOKEN_DEFAULTS.items()]
    return "\n".join(
        [
            "# Defaults of multisite that differ from those of keystonemiddleware below:",
            *changed,
            "",
            output.getvalue(),
        ]
    )


def policy() -> str:
    """policy.yaml with every rule, commented out."""
    lines = ["# Rules of multisite. Remove the # before a rule to change it.", ""]
    for rule in list_rules():
        lines += [f"# {line}" for line in wrap(rule.description, _WIDTH)]
        lines += [f"# {item['method']} {item['path']}" for item in getattr(rule, "operations", ())]
        lines += [f'#"{rule.name}": "{rule.check_str}"', ""]
    return "\n".join(lines)
