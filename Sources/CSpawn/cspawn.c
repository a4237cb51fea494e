#define _GNU_SOURCE
#include "cspawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs in the child, in the parent's memory: only system calls, and nothing that the parent would miss afterwards.
static int child(const struct takumi_spawn *s) {
    for (const char *const *join = s->joins; join && *join; join++) {
        int file = open(*join, O_WRONLY | O_CLOEXEC);
        // "0" stands for whoever writes it.
        if (file < 0 || write(file, "0", 1) != 1) return errno;
        close(file);
    }
    // Linux keeps one per thread, and threads of a program that set its own may differ.
    if (s->niceness >= 0) setpriority(PRIO_PROCESS, 0, s->niceness);
    if (s->new_session ? setsid() < 0 : setpgid(0, 0) < 0) return errno;
    int input = open("/dev/null", O_RDONLY);
    int sink = open("/dev/null", O_WRONLY);
    if (input < 0 || sink < 0) return errno;
    if (dup2(input, 0) < 0) return errno;
    // The error's descriptor may be 1 itself, so it is copied out of the way first.
    int error = fcntl(s->error < 0 ? sink : s->error, F_DUPFD, 3);
    if (error < 0 || dup2(s->output < 0 ? sink : s->output, 1) < 0 || dup2(error, 2) < 0) return errno;
    close_range(3, ~0U, 0);
    if (s->directory && chdir(s->directory) < 0) return errno;
    struct sigaction fallback = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &fallback, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    execve(s->executable, s->arguments, s->environment);
    return errno;
}

pid_t takumi_spawn(const struct takumi_spawn *spawn) {
    sigset_t all, before;
    sigfillset(&all);
    // No handler of ours may run in the child while it shares our memory.
    sigprocmask(SIG_SETMASK, &all, &before);
    // vfork, since copying the page tables of a server for a process that execs at once is a waste. The parent is
    // suspended until then, so the result can be passed in memory.
    volatile int failure = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        failure = child(spawn);
        _exit(127);
    }
    int error = pid < 0 ? errno : failure;
    sigprocmask(SIG_SETMASK, &before, 0);
    if (error == 0) return pid;
    if (pid > 0) {
        while (waitpid(pid, 0, 0) < 0 && errno == EINTR) {}
    }
    errno = error;
    return -1;
}

int takumi_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int takumi_limit_file_size(int pid, long long bytes) {
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_FSIZE, 0, &limit) != 0) return -1;
    rlim_t wanted = bytes < 0 || (rlim_t)bytes > limit.rlim_max ? limit.rlim_max : (rlim_t)bytes;
    if (limit.rlim_cur == wanted) return 0;
    limit.rlim_cur = wanted;
    return prlimit(pid, RLIMIT_FSIZE, &limit, 0);
}

int takumi_send_descriptors(int socket, const void *bytes, unsigned long length, const int *descriptors, int count) {
    enum { most = 16 };
    if (count < 1 || count > most) return errno = EINVAL, -1;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(most * sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    return sent == (ssize_t)length ? 0 : -1;
}
