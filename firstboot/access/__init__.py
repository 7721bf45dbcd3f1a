"""Who gets in: by set-up code, password, permit or pass."""
