// The init's memory as the kernel sees it: what is kept to be quick, and what is given back before it waits.
//
// Kept: musl's allocator asks the kernel for a few pages whenever it has no block of a size, and gives them back when the last
// block in them is free. To start a process takes blocks of 1 to 8 KiB, all of them free again a moment later: a dozen calls of
// mmap(2) and munmap(2), each page of them cleared at a fault, and each munmap(2) told to the other processor, where a child
// has run in the init's memory (spawn.c). So a few small mappings are kept for the next that is asked for. The allocator itself
// stays as it is, and notices a heap that is damaged.
//
// Given back, before a wait that is to rest (wait.c): those mappings, and the pages of the program's own file. A page that was
// needed once, to read the configuration say, would count as the init's for the whole life of the container; it is still in the
// page cache, and is there again at the first touch. Writable memory is never given back so.
#include "CSystem.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pages.h"

#if !defined(__GLIBC__)
// Mappings of up to so many bytes are kept, and at most so many of them.
enum { LARGEST = 16 << 10, MOST = 6 };

static struct {
    void *place;
    size_t size;
} kept[MOST];

// What musl's allocator calls, under these names; mmap(3) and munmap(3) are in the same object of libc, so they are here too.
void *__mmap(void *place, size_t size, int protection, int flags, int file, off_t offset) {
    if (!place && size <= LARGEST && protection == (PROT_READ | PROT_WRITE) && flags == (MAP_PRIVATE | MAP_ANONYMOUS)) {
        for (int each = 0; each < MOST; each++) {
            if (kept[each].size != size) continue;
            kept[each].size = 0;
            // As the kernel gives it: calloc(3) relies on that.
            return memset(kept[each].place, 0, size);
        }
    }
    return (void *)syscall(SYS_mmap, place, size, protection, flags, file, offset);
}

int __munmap(void *place, size_t size) {
    for (int each = 0; size <= LARGEST && each < MOST; each++) {
        if (kept[each].size) continue;
        kept[each].place = place;
        kept[each].size = size;
        return 0;
    }
    return (int)syscall(SYS_munmap, place, size);
}

void *mmap(void *place, size_t size, int protection, int flags, int file, off_t offset) {
    return __mmap(place, size, protection, flags, file, offset);
}

int munmap(void *place, size_t size) { return __munmap(place, size); }

void hi_give_back_kept(void) {
    for (int each = 0; each < MOST; each++) {
        if (kept[each].size) syscall(SYS_munmap, kept[each].place, kept[each].size);
        kept[each].size = 0;
    }
}
#else
void hi_give_back_kept(void) {}
#endif

int hi_read_only_parts(struct hi_part *parts, uintptr_t page) {
    const char *header = (const char *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM), size = getauxval(AT_PHENT);
    int found = 0;
    if (!header || size != sizeof(Elf64_Phdr) || page == 0) return 0;
    const Elf64_Phdr *headers = (const Elf64_Phdr *)header;
    // Where the file was loaded is known where it is not relocated (ET_EXEC), as the shipped file is.
    for (unsigned long each = 0; each < count; each++) {
        if (headers[each].p_type == PT_INTERP || headers[each].p_type == PT_DYNAMIC) return 0;
    }
    for (unsigned long each = 0; each < count && found < HI_MOST_PARTS; each++) {
        if (headers[each].p_type != PT_LOAD || headers[each].p_flags & PF_W) continue;
        parts[found].first = (headers[each].p_vaddr + page - 1) & ~(page - 1);
        parts[found].end = (headers[each].p_vaddr + headers[each].p_memsz) & ~(page - 1);
        if (parts[found].first < parts[found].end) found++;
    }
    return found;
}
