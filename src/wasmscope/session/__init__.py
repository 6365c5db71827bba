"""What all front ends share: a guest that runs, together with what is known of its source.

`target.py` is a paused frame as expressions and values see it, `names.py` what they may speak of there.
"""
