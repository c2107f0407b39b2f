"""Pictures in: files and RTSP cameras as one kind of source. Start with `source.open_source`."""
