"""Watchpoints: what is watched, how mirrors test for it, what an access is about to do, and what hosts have done."""
