"""What it costs to control a guest, one file a thing that is measured."""
