"""What a module says about itself: instruction tokens, operand types, loops, functions that escape. Changes nothing."""
