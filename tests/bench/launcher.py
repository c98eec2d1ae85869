"""Starts one program, waits for it, and writes what it used. A process of its own, and one that imports little: the
system counts the memory of whoever starts a program as the program's own peak, so that must be small.

    launcher.py RESULT PROGRAM ARGUMENT...    in the current folder; RESULT is a file that gets one line of JSON
"""

import os
import sys
import time


def main():
    result, program = sys.argv[1], sys.argv[2:]
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.execvp(program[0], program)
        except OSError as error:
            os.write(2, f"{program[0]}: {error}\n".encode())
            os._exit(127)
    _, status, used = os.wait4(child, 0)
    wall = time.monotonic() - start
    with open(result, "w", encoding="utf-8") as out:
        out.write(f'{{"status": {os.waitstatus_to_exitcode(status)}, "wall": {wall:.6f}, "user": {used.ru_utime:.6f}, '
                  f'"system": {used.ru_stime:.6f}, "peak_bytes": {used.ru_maxrss * 1024}}}\n')


main()
