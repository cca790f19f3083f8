"""What is known of Cilium's own pods: how they live and end, and what their logs say."""
