"""What the lab's broker leaves behind stays in the lab's folder."""

from pathlib import Path

from lab import infrastructure
from lab.layout import SHARED, Lab


def test_a_crash_of_the_broker_is_dumped_into_the_labs_folder(tmp_path: Path) -> None:
    lab = Lab(tmp_path, SHARED)
    (lab.state / "rabbitmq").mkdir(parents=True)

    environment = dict(infrastructure._rabbitmq(lab).environment)

    assert Path(environment["ERL_CRASH_DUMP"]).is_relative_to(tmp_path)
