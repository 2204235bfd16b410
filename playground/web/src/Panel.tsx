type Props = { title: string; about?: string; onClose: () => void; children: React.ReactNode };

/** A panel next to the conversation, or over it if the page is narrow. */
export function Panel({ title, about, onClose, children }: Props) {
  return (
    <aside className="panel" aria-label={title} onKeyDown={(event) => event.key === "Escape" && !event.defaultPrevented && onClose()}>
      <header className="panel-head">
        <div>
          <h2>{title}</h2>
          {about && <p className="quiet">{about}</p>}
        </div>
        <button type="button" className="icon-button" aria-label={`Close ${title}`} onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </aside>
  );
}
