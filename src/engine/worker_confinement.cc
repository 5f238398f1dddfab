// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <thread>
#include <vector>

#include "engine/worker_confinement_internal.h"

namespace weft::engine {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the worker's filter of system calls is written for x86-64 and ARM 64"
#endif

constexpr uint32_t kForbidden[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_mount,
    SYS_umount2,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_unshare,
    SYS_setns,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_userfaultfd,
    SYS_pidfd_getfd,
    SYS_io_uring_setup,
    SYS_chroot,
    SYS_pivot_root,
    SYS_reboot,
};

void FilterSystemCalls() {
  std::vector<sock_filter> program;
  auto load = [&](size_t at) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(at)));
  };
  load(offsetof(seccomp_data, arch));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  // The x32 numbers are other names of the same calls.
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x4000'0000U, 0, 1));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
#endif
  for (uint32_t number : kForbidden) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

}  // namespace

void ConfineProcess(int kept) {
  ::syscall(SYS_close_range, static_cast<unsigned>(kept) + 1, ~0U, 0U);
  rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::setpriority(PRIO_PROCESS, 0, 10);
  FilterSystemCalls();
}

void BoundMemory(int64_t bytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)bytes;  // the sanitizers' own memory would count
#else
  rlimit bound{.rlim_cur = static_cast<rlim_t>(bytes), .rlim_max = RLIM_INFINITY};
  ::getrlimit(RLIMIT_DATA, &bound);
  bound.rlim_cur = static_cast<rlim_t>(bytes);
  ::setrlimit(RLIMIT_DATA, &bound);
#endif
}

void EndWithConnection(int descriptor) {
  std::thread([descriptor] {
    for (;;) {
      pollfd watch{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
      if (::poll(&watch, 1, -1) > 0 && (watch.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
        ::_exit(0);
    }
  }).detach();
}

}  // namespace weft::engine
