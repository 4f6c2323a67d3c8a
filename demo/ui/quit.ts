import { need } from './dom.ts';

export interface QuitChoices {
  readonly leave: () => void;
  readonly forfeit: () => void;
}

/** Asks who leaves a match in which a seat is theirs what is to become of it. The match goes on meanwhile. */
export class Quit {
  private readonly dialog = need('quit', HTMLDialogElement);

  constructor({ leave, forfeit }: QuitChoices) {
    const choose = (id: string, act: () => void): void =>
      need(id, HTMLButtonElement).addEventListener('click', () => {
        this.close();
        act();
      });
    choose('quit-stay', () => {});
    choose('quit-leave', leave);
    choose('quit-forfeit', forfeit);
  }

  ask(): void {
    this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }
}
