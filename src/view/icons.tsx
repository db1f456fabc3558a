/** The few pictures of the page, drawn on a grid of 16. Decoration: the words beside them say the same. */
import type { ReactNode } from "react";
import type { RoleName } from "../page/types.ts";

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** Three tabs that hold one document. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path className="logo-edge" d="M16 8 L8 23 H24 Z" />
      <circle className="logo-lead" cx="16" cy="8" r="5" />
      <circle className="logo-node" cx="8" cy="23" r="4" />
      <circle className="logo-node" cx="24" cy="23" r="4" />
    </svg>
  );
}

const ROLE_SHAPES: { readonly [role in RoleName]: ReactNode } = {
  leader: <path className="fill" d="M2 5 5 8 8 2.5 11 8 14 5 12.8 13H3.2Z" />,
  follower: <circle className="fill" cx="8" cy="8" r="5" />,
  candidate: <path className="fill" d="M8 2 14 13H2Z" />,
  learner: <circle className="stroke" cx="8" cy="8" r="4.5" />,
};

export function RoleIcon({ role }: { readonly role: RoleName | null }) {
  return <Icon>{role === null ? <path className="stroke" d="M4 4 12 12M12 4 4 12" /> : ROLE_SHAPES[role]}</Icon>;
}

export function CheckIcon() {
  return (
    <Icon>
      <path className="stroke" d="M3 8.5 6.5 12 13 4.5" />
    </Icon>
  );
}

export function WaitIcon() {
  return (
    <Icon>
      <circle className="stroke" cx="8" cy="8" r="5.5" />
      <path className="stroke" d="M8 5V8.2L10 9.6" />
    </Icon>
  );
}

export function AlarmIcon() {
  return (
    <Icon>
      <path className="stroke" d="M8 2.5 14.2 13.5H1.8Z" />
      <path className="stroke" d="M8 6.8V9.6M8 11.6V11.7" />
    </Icon>
  );
}

export function ShareIcon() {
  return (
    <Icon>
      <path className="stroke" d="M8 10V2.2M5 5 8 2 11 5M4 8H3V14H13V8H12" />
    </Icon>
  );
}

export function SystemThemeIcon() {
  return (
    <Icon>
      <circle className="stroke" cx="8" cy="8" r="5.5" />
      <path className="fill" d="M8 2.5A5.5 5.5 0 0 1 8 13.5Z" />
    </Icon>
  );
}

export function LightThemeIcon() {
  return (
    <Icon>
      <circle className="stroke" cx="8" cy="8" r="3" />
      <path className="stroke" d="M8 1V2.5M8 13.5V15M1 8H2.5M13.5 8H15M3 3 4.1 4.1M11.9 11.9 13 13M13 3 11.9 4.1M4.1 11.9 3 13" />
    </Icon>
  );
}

export function DarkThemeIcon() {
  return (
    <Icon>
      <path className="stroke" d="M13.5 9.8A6 6 0 1 1 6.2 2.5 4.8 4.8 0 0 0 13.5 9.8Z" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path className="stroke" d="M4 4 12 12M12 4 4 12" />
    </Icon>
  );
}

export function WidenIcon() {
  return (
    <Icon>
      <path className="stroke" d="M9.5 2.5H13.5V6.5M6.5 13.5H2.5V9.5M13.5 2.5 9 7M2.5 13.5 7 9" />
    </Icon>
  );
}

export function NarrowIcon() {
  return (
    <Icon>
      <path className="stroke" d="M2.5 3V13M13.5 8H6M8.5 5.5 6 8 8.5 10.5" />
    </Icon>
  );
}
