// read FOLDER: reads every file of a folder, and looks at no byte of it. The floor of --check.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

int main(int count, char **words) {
    static char text[65536];
    DIR *folder = count > 1 ? opendir(words[1]) : 0;
    if (!folder) return 1;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int file = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (file < 0) return 1;
        while (read(file, text, sizeof text) > 0) continue;
        close(file);
    }
    return 0;
}
