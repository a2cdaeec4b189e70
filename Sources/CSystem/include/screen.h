// A terminal as a whole screen, for `hermes-init ctl status --watch`: its size, keys as they are pressed, and back to what it
// was. Nothing of this is used by the init itself. Included by CSystem.h.
#ifndef HERMES_INIT_SCREEN_H
#define HERMES_INIT_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/// The columns (and rows) of a terminal; 0 where it is none or does not know (ioctl TIOCGWINSZ).
int hi_terminal_columns(int terminal, int *rows);

/// Keys come one by one and are not shown; signals of the keyboard stay. False where it is no terminal. tcsetattr(3)
bool hi_begin_keys(int terminal);
/// As it was before hi_begin_keys; nothing where that was not called.
void hi_end_keys(int terminal);

/// A signalfd, close-on-exec, for those signals (bit n-1 for signal n), which are blocked from now on. -1 and errno.
int hi_catch_signals(uint64_t signals);
/// Takes the default for those signals again.
void hi_release_signals(uint64_t signals);
/// The number of the next signal, 0 where none is pending.
int hi_next_signal(int descriptor);

/// Waits until one of three descriptors (-1: none) can be read, or so many milliseconds (-1: for ever). Gives bits 1, 2 and 4
/// for those that can, 0 where the time is over. A signal does not end it. poll(2)
int hi_wait_for_input(int first, int second, int third, int milliseconds);

/// Opens a file to be written from its beginning, and makes it (mode 0644) where there is none. open(2)
int hi_create_file(const char *path);

#endif
