// What the wait (wait.c) needs to know of the init's memory (pages.c).
#ifndef HERMES_INIT_PAGES_H
#define HERMES_INIT_PAGES_H

#include <stdint.h>

// The parts of the program's file that are mapped for reading only: constants and code. Whole pages of them.
enum { HI_MOST_PARTS = 4 };
struct hi_part {
    uintptr_t first, end;
};
int hi_read_only_parts(struct hi_part *parts, uintptr_t page);

// Gives back the mappings that are kept for the next that is asked for.
void hi_give_back_kept(void);

#endif
