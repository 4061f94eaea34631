import type { Koffi } from "../koffi.ts";

/*
 * rtnetlink(7): the kernel tells of each address and route that comes or goes, and nothing is polled. What it says is
 * thrown away unread, since the network is looked at anyway; one thread waits in poll(2) meanwhile.
 */

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = SOCK_CLOEXEC;
const NETLINK_ROUTE = 0;
/** RTMGRP_IPV4_IFADDR and RTMGRP_IPV4_ROUTE. */
const groups = 0x10 | 0x40;
const POLLIN = 1;
const MSG_DONTWAIT = 0x40;
const infinite = -1;

/**
 * @param onChange an address or a route came or went.
 * @param onProblem one line; from then on nothing is told.
 * @returns how to end it. @throws Error where the kernel or a sandbox does not allow it.
 */
export function watchNetwork(koffi: Koffi, onChange: () => void, onProblem: (why: string) => void): () => void {
  const libc = koffi.load("libc.so.6");
  const close = libc.func("int close(int descriptor)");
  const recv = libc.func("long recv(int descriptor, void *buffer, size_t length, int flags)");
  const write = libc.func("long write(int descriptor, void *buffer, size_t length)");
  const poll = libc.func("int poll(void *descriptors, unsigned long count, int timeout)");
  const socket: number = libc.func("int socket(int domain, int type, int protocol)")(
    AF_NETLINK,
    SOCK_RAW | SOCK_CLOEXEC,
    NETLINK_ROUTE,
  );
  if (socket < 0) throw new Error(`socket: error ${koffi.errno()}`);
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  const bound: number = libc.func("int bind(int descriptor, void *address, unsigned int length)")(
    socket,
    address,
    address.length,
  );
  const wake: number = bound < 0 ? -1 : libc.func("int eventfd(unsigned int value, int flags)")(0, EFD_CLOEXEC);
  if (wake < 0) {
    const code = koffi.errno();
    close(socket);
    throw new Error(`${bound < 0 ? "bind" : "eventfd"}: error ${code}`);
  }

  // Two of struct pollfd, read by another thread: outside of what the collector moves or frees.
  const descriptors = koffi.alloc("uint8", 16);
  for (const [index, descriptor] of [socket, wake].entries()) {
    koffi.encode(descriptors, 8 * index, "int32", descriptor);
    koffi.encode(descriptors, 8 * index + 4, "int16", POLLIN);
  }
  const scrap = Buffer.alloc(8192);
  let closed = false;

  function release(): void {
    close(socket);
    close(wake);
    koffi.free(descriptors);
  }

  function wait(): void {
    poll.async(descriptors, 2, infinite, (error: unknown, ready: number) => {
      if (closed) return release();
      if (error || ready < 0) {
        release();
        return onProblem(`waiting for changes of the network failed: ${error ?? ready}`);
      }
      while (recv(socket, scrap, scrap.length, MSG_DONTWAIT) > 0);
      // What comes from here on is told again, so nothing is lost between the change and the reading.
      wait();
      onChange();
    });
  }

  function end(): void {
    if (closed) return;
    closed = true;
    process.removeListener("exit", end);
    write(wake, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), 8);
  }
  // A process ends only when its threads do: also one that fails must not wait for the network to change.
  process.once("exit", end);
  wait();
  return end;
}
