/** Who is in which room. Nothing is kept of a room once its last member has left. */

export class Rooms<Member> {
  readonly #rooms = new Map<string, Map<string, Member>>();

  constructor(
    private readonly maxRooms: number,
    private readonly maxMembersPerRoom: number,
  ) {}

  get size(): number {
    return this.#rooms.size;
  }

  /**
   * Puts a member into a room under its node id and tells whom it took the place of, if anybody.
   *
   * The newer of two sockets with one node id wins. The older is, nearly always, the dead connection of the same tab, which the
   * server would otherwise believe in until its next ping; were it to win, a tab whose Wi-Fi changed could not come back for half
   * a minute. Taking another's place gains an attacker nothing: joining needs the topic, which only the room's members and this
   * server know, and what is relayed is sealed with a key that the server has not, so an impostor could neither read nor write it.
   */
  join(topic: string, nodeId: string, member: Member): { readonly replaced: Member | null } | "roomFull" | "tooManyRooms" {
    const room = this.#rooms.get(topic);
    if (room === undefined) {
      if (this.#rooms.size >= this.maxRooms) return "tooManyRooms";
      this.#rooms.set(topic, new Map([[nodeId, member]]));
      return { replaced: null };
    }
    const replaced = room.get(nodeId) ?? null;
    if (replaced === null && room.size >= this.maxMembersPerRoom) return "roomFull";
    room.set(nodeId, member);
    return { replaced };
  }

  /** Takes the member out, unless a newer one already stands in its place. Tells whether it was there. */
  leave(topic: string, nodeId: string, member: Member): boolean {
    const room = this.#rooms.get(topic);
    if (room === undefined || room.get(nodeId) !== member) return false;
    room.delete(nodeId);
    if (room.size === 0) this.#rooms.delete(topic);
    return true;
  }

  member(topic: string, nodeId: string): Member | null {
    return this.#rooms.get(topic)?.get(nodeId) ?? null;
  }

  /** All members of the room but the one with this id. */
  others(topic: string, nodeId: string): [id: string, member: Member][] {
    return [...(this.#rooms.get(topic) ?? [])].filter(([id]) => id !== nodeId);
  }
}
