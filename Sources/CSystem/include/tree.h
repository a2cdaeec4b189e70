// Folders and files below a folder that is held open. Every name here is one name, with no slash in it, and no call
// follows a link; hi_open_beneath alone takes a path. Calls give -1 and errno where they fail, if nothing else is said.
#ifndef HERMES_INIT_TREE_H
#define HERMES_INIT_TREE_H

/// O_PATH of open(2): a descriptor that only stands for a file. Swift does not see it, since it belongs to _GNU_SOURCE.
static const int32_t HI_O_PATH = 010000000;

/// What is known of a file (statx(2)).
struct hi_status {
    uint32_t mode, uid, gid, links;
    uint64_t device, inode;
    uint64_t mount;   // the number of its mount; 0 where the kernel does not tell (before 5.8)
    int64_t size;     // bytes
    int64_t changed;  // of the inode (ctime), in nanoseconds since 1970
};

/// The status of a name in a folder; of the open file itself, an O_PATH one too, where the name is empty.
int hi_read_status(int folder, const char *name, struct hi_status *status);

/// Opens a path below a folder. ELOOP where any part of it is a symbolic link, but for a last part opened with O_PATH and
/// without O_DIRECTORY, which is then the link itself; EXDEV where `..` leads out. openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS;
/// where that is missing (ENOSYS) or forbidden (EPERM), the same promise by opening one part after the other with O_NOFOLLOW.
int hi_open_beneath(int folder, const char *path, int flags, uint32_t mode);

/// The kind of an entry that is a folder (DT_DIR).
static const uint8_t HI_ENTRY_FOLDER = 4;
/// Fills a buffer with entries, as getdents64(2) gives them. Gives their length in bytes, 0 at the end.
ssize_t hi_read_folder(int folder, void *buffer, size_t size);

/// fchownat(2) of an open file, an O_PATH one too; UINT32_MAX leaves the user or the group as it is.
int hi_change_owner(int file, uint32_t uid, uint32_t gid);

/// Changes the mode of an open file, an O_PATH one too, which lay under that name: fchmodat2(2), or through /proc, or by
/// opening it anew if it is still the same file.
int hi_change_mode(int folder, const char *name, int file, uint32_t mode);

/// mkdirat(2)
static inline int hi_make_folder(int folder, const char *name, uint32_t mode) { return mkdirat(folder, name, mode); }
/// symlinkat(2)
static inline int hi_make_link(int folder, const char *name, const char *target) {
    return symlinkat(target, folder, name);
}
/// Makes a symbolic link that leads where that of the same name in another folder does. readlinkat(2), symlinkat(2)
int hi_copy_link(int from, int to, const char *name);
/// unlinkat(2)
static inline int hi_remove(int folder, const char *name, bool is_folder) {
    return unlinkat(folder, name, is_folder ? AT_REMOVEDIR : 0);
}

/// Gives a file another name in the same folder. `replacing`: in the place of what has it, else EEXIST. renameat2(2); a
/// file system that cannot do the second is asked before, which leaves a gap.
int hi_rename(int folder, const char *from, const char *to, bool replacing);

/// fsync(2) of a folder, which may be an O_PATH one. A file system that cannot do that is no failure.
int hi_sync_folder(int folder);

/// The clock that file systems stamp files with (CLOCK_REALTIME_COARSE), in nanoseconds since 1970.
int64_t hi_file_clock(void);

/// Waits for so many milliseconds (poll(2)).
static inline void hi_pause(int milliseconds) { poll(NULL, 0, milliseconds); }

/// Fills a buffer from the kernel's random numbers, waiting until there are some (getrandom(2)). At most 256 bytes.
int hi_random(void *bytes, size_t count);

static inline bool hi_is_link(uint32_t mode) { return S_ISLNK(mode); }
static inline bool hi_is_device(uint32_t mode) { return S_ISCHR(mode) || S_ISBLK(mode); }

#endif
