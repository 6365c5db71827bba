"""The mirrors of a store: made when they are needed, entered, resumed, and what goes on in them."""
