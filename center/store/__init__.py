"""Where files of evidence lie: in a folder of this machine, or in an S3 bucket; to everybody else it is the same.

`shelf` says what a store does, `bucket` is the one on another machine (`alerts.blobs` the one here), `opening` makes
the one that the settings name.
"""
