"""What Slack delivers, one file for each kind. A listener acknowledges at once and leaves the rest to the intake."""
