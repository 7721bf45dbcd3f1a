/* KERN's form fields: a text, a choice from a list, a tick. */

import type { HTMLInputAutoCompleteAttribute, ReactNode } from "react";
import { useId } from "react";

interface TextProps {
  label: string;
  hint?: string;
  problem?: string | undefined;
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "password" | "datetime-local" | "number";
  autoComplete?: HTMLInputAutoCompleteAttribute;
  inputMode?: "numeric" | "text";
  required?: boolean;
  min?: number;
  max?: number;
}

export function TextField(props: TextProps) {
  const id = useId();
  const { hint, problem } = props;
  const about = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div className={`kern-form-input${problem ? " kern-form-input--error" : ""}`}>
      <label className="kern-label" htmlFor={id}>
        {props.label}
      </label>
      {hint && (
        <div className="kern-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      <input
        id={id}
        className={`kern-form-input__input${problem ? " kern-form-input__input--error" : ""}`}
        type={props.type ?? "text"}
        value={props.value}
        autoComplete={props.autoComplete ?? "off"}
        inputMode={props.inputMode}
        required={props.required}
        min={props.min}
        max={props.max}
        aria-invalid={problem ? true : undefined}
        aria-describedby={about || undefined}
        onChange={(event) => {
          props.onChange(event.target.value);
        }}
      />
      {problem && (
        <p className="kern-error" id={`${id}-problem`} role="alert">
          <span className="kern-icon kern-icon--danger" aria-hidden="true" />
          <span className="kern-body">{problem}</span>
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

export function ChoiceField({ label, value, options, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div className="kern-form-input">
      <label className="kern-label" htmlFor={id}>
        {label}
      </label>
      <div className="kern-form-input__select-wrapper">
        <select
          id={id}
          className="kern-form-input__select"
          value={value}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        >
          {options.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

interface TickProps {
  label: ReactNode;
  value: boolean;
  onChange: (value: boolean) => void;
  required?: boolean;
}

export function Tick({ label, value, onChange, required = false }: TickProps) {
  const id = useId();
  return (
    <div className="kern-form-check">
      <input
        id={id}
        className="kern-form-check__checkbox"
        type="checkbox"
        checked={value}
        required={required}
        onChange={(event) => {
          onChange(event.target.checked);
        }}
      />
      <label className="kern-label" htmlFor={id}>
        {label}
      </label>
    </div>
  );
}
