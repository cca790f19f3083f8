"""The page about policy lists every fact that depends on the version, as the engine has it."""

from pathlib import Path

from handlers.policy import VERSION_FACTS

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"


def test_the_table_of_versions_is_the_engines() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    told = [
        [fact.name, fact.meaning, ", ".join(map(str, fact.since)), ", ".join(map(str, fact.until)), fact.upstream]
        for fact in VERSION_FACTS
    ]
    assert [f"| {' | '.join(row)} |" for row in told] == [row for row in rows if row[2:].split(" |")[0] != "fact"]
