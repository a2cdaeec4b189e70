// The addresses of a name, for the stage wait-for: /etc/hosts, then the name servers of /etc/resolv.conf (resolv.conf(5):
// nameserver, search, domain, options ndots). libc's getaddrinfo(3) would cost 28 KB, and has to be trusted with time. It
// waits, so only a stage may call it. What a server answers is read with every step checked; an answer that makes no sense
// is no answer. UDP alone: a name with more addresses than a datagram holds has enough of them.

#include "CSystem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { MOST_SERVERS = 3, MOST_SEARCH = 6, NAME_SIZE = 256, FILE_SIZE = 64 * 1024, DATAGRAM = 1500, TRY = 1000 };

struct found {
    struct hi_host *hosts;
    int count, capacity;
};

struct settings {
    struct hi_host servers[MOST_SERVERS];
    int server_count;
    char search[MOST_SEARCH][NAME_SIZE];
    int search_count;
    int dots;
};

static void add(struct found *found, const uint8_t *bytes, int length) {
    if (found->count >= found->capacity) return;
    struct hi_host *host = &found->hosts[found->count++];
    host->length = (uint8_t)length;
    memcpy(host->bytes, bytes, (size_t)length);
}

// A text file, ended by a NUL; NULL where it cannot be read.
static char *contents(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char *text = malloc(FILE_SIZE + 1);
    size_t length = 0;
    while (text && length < FILE_SIZE) {
        ssize_t count = read(file, text + length, FILE_SIZE - length);
        if (count <= 0) break;
        length += (size_t)count;
    }
    close(file);
    if (text) text[length] = 0;
    return text;
}

// The words of each line, comments left out: calls `each` with a line's words.
enum { MOST_WORDS = 16 };
static void lines(char *text, void (*each)(char **words, int count, void *context), void *context) {
    char *end_of_line;
    for (char *line = strtok_r(text, "\n", &end_of_line); line; line = strtok_r(0, "\n", &end_of_line)) {
        char *words[MOST_WORDS];
        int count = 0;
        char *end_of_word;
        line[strcspn(line, "#;")] = 0;
        for (char *word = strtok_r(line, " \t\r", &end_of_word); word && count < MOST_WORDS;
             word = strtok_r(0, " \t\r", &end_of_word))
            words[count++] = word;
        if (count) each(words, count, context);
    }
}

struct hosts_search {
    const char *name;
    struct found *found;
};

static void hosts_line(char **words, int count, void *context) {
    struct hosts_search *search = context;
    uint8_t bytes[16];
    for (int place = 1; place < count; place++) {
        if (strcasecmp(words[place], search->name) != 0) continue;
        int length = hi_parse_address(words[0], bytes);
        if (length) add(search->found, bytes, length);
        return;
    }
}

static void settings_line(char **words, int count, void *context) {
    struct settings *settings = context;
    if (strcmp(words[0], "nameserver") == 0 && count > 1 && settings->server_count < MOST_SERVERS) {
        struct hi_host *server = &settings->servers[settings->server_count];
        server->length = (uint8_t)hi_parse_address(words[1], server->bytes);
        if (server->length) settings->server_count++;
    } else if (strcmp(words[0], "search") == 0 || strcmp(words[0], "domain") == 0) {
        settings->search_count = 0;
        for (int place = 1; place < count && settings->search_count < MOST_SEARCH; place++) {
            if (strlen(words[place]) >= NAME_SIZE) continue;
            strcpy(settings->search[settings->search_count++], words[place]);
        }
    } else if (strcmp(words[0], "options") == 0) {
        for (int place = 1; place < count; place++) {
            if (strncmp(words[place], "ndots:", 6) == 0) settings->dots = atoi(words[place] + 6);
        }
    }
}

// RFC 1035, 4.1: the question. Gives its length, 0 where the name cannot be asked for.
static size_t question(uint8_t *packet, const char *name, uint16_t id, uint8_t type) {
    const uint8_t header[12] = {(uint8_t)(id >> 8), (uint8_t)id, 1 /* recursion */, 0, 0, 1};
    memcpy(packet, header, sizeof header);
    size_t length = sizeof header;
    while (*name) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > 63 || length + label > 260) return 0;
        packet[length++] = (uint8_t)label;
        memcpy(packet + length, name, label);
        length += label;
        name += label;
        if (*name == '.') name++;
    }
    const uint8_t tail[5] = {0, 0, type, 0, 1};
    memcpy(packet + length, tail, sizeof tail);
    return length + sizeof tail;
}

// The place behind a name in an answer; `length` where it runs out.
static size_t skip_name(const uint8_t *packet, size_t length, size_t place) {
    while (place < length) {
        uint8_t label = packet[place];
        if (label >= 0xC0) return place + 2;
        place += 1 + (size_t)label;
        if (label == 0) return place;
    }
    return length;
}

// Adds the addresses of an answer. False where it is no answer to that question.
static bool take_answer(const uint8_t *packet, size_t length, uint16_t id, uint8_t type, struct found *found) {
    if (length < 12 || (packet[0] << 8 | packet[1]) != id || !(packet[2] & 0x80)) return false;
    int questions = packet[4] << 8 | packet[5], answers = packet[6] << 8 | packet[7];
    size_t place = 12;
    while (questions-- > 0 && place < length) place = skip_name(packet, length, place) + 4;
    while (answers-- > 0 && place < length) {
        place = skip_name(packet, length, place);
        if (place + 10 > length) break;
        int kind = packet[place] << 8 | packet[place + 1];
        size_t size = (size_t)(packet[place + 8] << 8 | packet[place + 9]);
        place += 10;
        if (place + size > length) break;
        if (kind == type && size == (type == 1 ? 4U : 16U)) add(found, packet + place, (int)size);
        place += size;
    }
    return true;
}

static void ask(const struct hi_host *server, const char *name, uint8_t type, int wait, struct found *found) {
    uint8_t packet[DATAGRAM];
    uint16_t id = 0;
    if (getrandom(&id, sizeof id, 0) < 0) id = (uint16_t)hi_monotonic_nanoseconds();
    size_t length = question(packet, name, id, type);
    if (!length) return;
    bool is_four = server->length == 4;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(53)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    memcpy(&four.sin_addr, server->bytes, 4);
    memcpy(&six.sin6_addr, server->bytes, 16);
    int descriptor = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return;
    int64_t end = hi_monotonic_nanoseconds() + (int64_t)wait * 1000000;
    // Connected: only that server's datagrams arrive, and a closed port is known at once.
    if (connect(descriptor, is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six,
                is_four ? sizeof four : sizeof six) == 0 &&
        send(descriptor, packet, length, MSG_NOSIGNAL) == (ssize_t)length) {
        struct pollfd ready = {.fd = descriptor, .events = POLLIN};
        for (;;) {
            int64_t left = (end - hi_monotonic_nanoseconds()) / 1000000;
            if (left <= 0 || poll(&ready, 1, (int)left) <= 0) break;
            ssize_t count = recv(descriptor, packet, sizeof packet, 0);
            if (count < 0 || take_answer(packet, (size_t)count, id, type, found)) break;
        }
    }
    close(descriptor);
}

int hi_resolve(const char *name, struct hi_host *hosts, int capacity, int milliseconds) {
    struct found found = {.hosts = hosts, .capacity = capacity};
    uint8_t bytes[16];
    int length = hi_parse_address(name, bytes);
    if (length) {
        add(&found, bytes, length);
        return found.count;
    }
    char *text = contents("/etc/hosts");
    struct hosts_search search = {name, &found};
    if (text) lines(text, hosts_line, &search);
    free(text);
    if (found.count == 0 && strcasecmp(name, "localhost") == 0) {
        const uint8_t six[16] = {[15] = 1};
        add(&found, (const uint8_t[]){127, 0, 0, 1}, 4);
        add(&found, six, 16);
    }
    if (found.count || strlen(name) >= NAME_SIZE) return found.count;

    struct settings settings = {.dots = 1};
    text = contents("/etc/resolv.conf");
    if (text) lines(text, settings_line, &settings);
    free(text);
    int64_t end = hi_monotonic_nanoseconds() + (int64_t)milliseconds * 1000000;
    int dots = 0;
    for (const char *next = name; *next; next++) dots += *next == '.';
    bool is_whole = name[0] && name[strlen(name) - 1] == '.';
    // A name with enough dots is asked for as it is before the search list, any other behind it.
    int count = is_whole ? 1 : settings.search_count + 1;
    int own = dots >= settings.dots ? 0 : settings.search_count;
    for (int place = 0; place < count && found.count == 0; place++) {
        char full[2 * NAME_SIZE + 1];
        if (is_whole || place == own) {
            strcpy(full, name);
        } else {
            // No longer than the room: each of the two is shorter than NAME_SIZE. (snprintf would cost 10 KB.)
            size_t length = strlen(name);
            memcpy(full, name, length);
            full[length] = '.';
            strcpy(full + length + 1, settings.search[own == 0 ? place - 1 : place]);
        }
        for (int server = 0; server < settings.server_count && found.count == 0; server++) {
            for (uint8_t type = 1; type <= 28; type += 27) {  // A, AAAA
                int64_t left = (end - hi_monotonic_nanoseconds()) / 1000000;
                if (left <= 0) return found.count;
                ask(&settings.servers[server], full, type, left < TRY ? (int)left : TRY, &found);
            }
        }
    }
    return found.count;
}
