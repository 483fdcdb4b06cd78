# tries: more memory than the machine can give
# stopped by: memory_limit
# seen: no effect
python -c 'x = bytearray(450 * 2**20); print("escaped")'
