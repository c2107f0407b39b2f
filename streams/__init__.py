"""Pictures in: cameras, files, devices and pipelines as one kind of source. Start with `player.Player`."""
