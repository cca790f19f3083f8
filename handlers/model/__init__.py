"""The words of the product: questions, snapshots, findings, reports, and the objects they speak of."""
