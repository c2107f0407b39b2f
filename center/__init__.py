"""The central office. Start with `app` (how it is put together), then `intake`, `handlers`, `pages`."""
