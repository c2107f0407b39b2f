"""What happens next: leads, tasks, deadlines, grids, findings. Start with `leads` and `transitions`."""
