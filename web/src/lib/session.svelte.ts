/** Grows when a token was accepted: pages that were refused read it and ask again. */
class Session {
  round = $state(0);

  begin(): void {
    this.round += 1;
  }
}

export const session = new Session();
