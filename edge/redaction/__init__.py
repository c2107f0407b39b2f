"""Redacted copies of pictures: what tells who somebody is, is covered before a picture leaves the officer's side."""
