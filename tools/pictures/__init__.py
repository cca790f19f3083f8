"""Pictures of answers for the docs: reports of recorded clusters, on the playground's page, in a headless browser."""
