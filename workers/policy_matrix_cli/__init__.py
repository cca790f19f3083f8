"""The ``policy`` commands about a whole cluster: who reaches whom, what a change does, lints, and contracts."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the ``policy`` command."""
    from workers.policy_matrix_cli.check import check
    from workers.policy_matrix_cli.lint import lint
    from workers.policy_matrix_cli.matrix import matrix
    from workers.policy_matrix_cli.reach import reach
    from workers.policy_matrix_cli.whatif import whatif

    for command in (matrix, reach, whatif, lint, check):
        app.command(command.__name__)(command)
